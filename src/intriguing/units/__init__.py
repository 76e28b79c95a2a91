"""Images that units and directions of a layer respond to (section 3)."""
