"""`python -m citybrain`."""

from citybrain.cli import main

if __name__ == "__main__":
    main()
