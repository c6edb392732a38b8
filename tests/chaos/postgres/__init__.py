"""The campaign on PostgreSQL: nodes, each on a machine of its own so to say, and a server and a network that fail.

campaign -> nemesis -> server, network (troubles)        nodes: watched, unfenced        after: recoveries, sweeps
"""
