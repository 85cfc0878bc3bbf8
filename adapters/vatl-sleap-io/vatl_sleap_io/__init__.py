"""SLEAP, DeepLabCut and other pose-tracking projects, for vatl."""
