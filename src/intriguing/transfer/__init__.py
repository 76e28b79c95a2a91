"""Images made for one network, fed to others (Tables 2 to 4)."""
