"""A neural network for images of digits, from scratch in NumPy.

Start reading at `model.py` (the network as a function), then `loss.py`, `backpropagation.py` and
`gradient_descent.py`.
"""
