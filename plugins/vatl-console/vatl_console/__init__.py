"""The console's progress display for vatl."""
