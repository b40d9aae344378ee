"""Takes outcomes of entities and gives them to the predictions that await them."""
