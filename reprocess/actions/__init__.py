"""The use cases of operators and owners, one module per noun. The API, pages, admin and commands call them."""
