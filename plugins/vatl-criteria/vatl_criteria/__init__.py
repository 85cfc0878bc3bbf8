"""Query criteria and selectors for vatl."""
