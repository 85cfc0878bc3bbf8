"""An oracle that puts each query to another labelling tool, through files."""
