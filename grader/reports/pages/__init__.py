"""Reports as pages that load nothing: graph, figures, pictures."""
