"""A person labels in the browser: an oracle for vatl."""
