"""Stop when queried poses no longer get better: a stopping criterion for vatl."""
