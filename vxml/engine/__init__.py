"""The scripts that every session's ECMAScript engine begins with."""
