"""Training on the rows of several clients, which stay where they are."""

from surveyor.federated.begin import (
    Left,
    Member,
    Members,
    left,
    members_in,
    own_data,
    prepare,
    resume,
    start,
    trained_on,
)
from surveyor.federated.messages import Request, Sums
from surveyor.federated.sums import BySumsOfClients, Client, Federation, added

__all__ = [
    "BySumsOfClients",
    "Client",
    "Federation",
    "Left",
    "Member",
    "Members",
    "Request",
    "Sums",
    "added",
    "left",
    "members_in",
    "own_data",
    "prepare",
    "resume",
    "start",
    "trained_on",
]
