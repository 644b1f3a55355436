"""The use cases of operators and owners, one module per noun. API, pages, admin and commands call them."""
