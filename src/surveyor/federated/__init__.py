"""Training on the rows of several clients, which stay where they are."""

from surveyor.federated.messages import Request, Sums
from surveyor.federated.sums import BySumsOfClients, Client, Federation, added

__all__ = ["BySumsOfClients", "Client", "Federation", "Request", "Sums", "added"]
