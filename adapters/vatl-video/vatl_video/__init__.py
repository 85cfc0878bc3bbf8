"""Any video on disk, with boxes from a detector, from a file or drawn by hand, for vatl."""
