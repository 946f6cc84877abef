"""The programs ``tdsup`` and ``table_dispatcher``, and what they print."""
