"""W1 without training: exact solvers, closed forms, bounds and estimates."""

from surveyor.transport.bracket import graph_bracket
from surveyor.transport.discrete import (
    Metric,
    Transport,
    ground_costs,
    transport,
    wasserstein_1_discrete,
)
from surveyor.transport.flow import GraphTransport, graph_transport, slope_one
from surveyor.transport.gaussian import wasserstein_1_gaussians, wasserstein_2_gaussians
from surveyor.transport.graph import (
    adjacency,
    shortest_edges,
    wasserstein_1_graph,
    wasserstein_1_tree,
)
from surveyor.transport.line import wasserstein_1_columns, wasserstein_1_line
from surveyor.transport.sliced import sliced_wasserstein_1

__all__ = [
    "GraphTransport",
    "Metric",
    "Transport",
    "adjacency",
    "graph_bracket",
    "graph_transport",
    "ground_costs",
    "shortest_edges",
    "sliced_wasserstein_1",
    "slope_one",
    "transport",
    "wasserstein_1_columns",
    "wasserstein_1_discrete",
    "wasserstein_1_gaussians",
    "wasserstein_1_graph",
    "wasserstein_1_line",
    "wasserstein_1_tree",
    "wasserstein_2_gaussians",
]
