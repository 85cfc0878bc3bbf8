"""Videos of articulated people made from a seed, for vatl."""
