"""The contracts: every interface, struct and error of obsorb, and its language mapping.

The modules here declare and depend on nothing of ours; ``mapping`` makes them
work over Pyro5, ``clients`` holds what every user of a shared service needs.
"""
