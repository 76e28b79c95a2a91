"""Other people's attacks beside ours: same images, one process, one counter, one clock.

Nothing that the rest of the project runs imports this. The libraries compared with are
in the extra ``crosscheck`` and are imported where their attacks are defined:
`fromfoolbox`, `fromadvlib`, `frombotorch`.
"""
