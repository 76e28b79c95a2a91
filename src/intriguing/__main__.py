"""``python -m intriguing`` is the command ``intriguing``."""

from intriguing.cli import main

if __name__ == "__main__":
    main()
