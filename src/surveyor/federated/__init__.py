"""Training on the rows of several clients, which stay where they are."""

from surveyor.federated.begin import (
    Left,
    Member,
    Members,
    accounts_in,
    left,
    members_in,
    own_data,
    prepare,
    resume,
    start,
    trained_on,
)
from surveyor.federated.federation import Federation
from surveyor.federated.messages import Request, Sums
from surveyor.federated.odds import ByOddsOfClients
from surveyor.federated.sums import BySumsOfClients, Client, added

__all__ = [
    "ByOddsOfClients",
    "BySumsOfClients",
    "Client",
    "Federation",
    "Left",
    "Member",
    "Members",
    "Request",
    "Sums",
    "accounts_in",
    "added",
    "left",
    "members_in",
    "own_data",
    "prepare",
    "resume",
    "start",
    "trained_on",
]
