"""Transfer: images made for one network, classified by others (Tables 2 to 4)."""
