"""python -m gateway.cli is the command voxgate."""

from gateway.cli.main import main

main()
