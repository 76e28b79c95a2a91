"""How the paper's networks are fitted."""
