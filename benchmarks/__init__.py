"""Side-by-side measurements against other programs; never imported by the product."""
