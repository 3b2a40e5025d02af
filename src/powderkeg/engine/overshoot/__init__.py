"""How far price would go beyond a level once what is liquidated on the way meets the book."""
