"""A neural network for images of digits, from scratch in NumPy.

Read `model.py` first (the network as a function), then `loss.py`, `backpropagation.py`,
`optimizer.py` and `gradient_descent.py`. `docs/network.md` has the formulas in the same order.
"""
