"""Side-by-side measurements against peers; not shipped. README.md says how to read them."""
