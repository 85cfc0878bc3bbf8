"""An adapted estimator's poses, in files for other programs, for vatl."""
