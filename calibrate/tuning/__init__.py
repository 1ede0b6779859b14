"""Painters tuned to one portrait; needs the extra `train`.

pictures.py  all pictures of the person in the portrait's frame, and which ones are kept back
pairs.py     samples of pairs of them
tune.py      training, judging on what was kept back, and the pack with what stood the test
"""
