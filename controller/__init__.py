"""What an operator touches: the command ``obsorb``, its dashboard and its demonstration.

Nothing here knows a servant. It finds objects by name, talks to them through their
declared interfaces and shows what they say.
"""
