"""How numbers lie and who computes: layouts, named arrays, memory, threads."""
