"""Reports with pictures for vatl."""
