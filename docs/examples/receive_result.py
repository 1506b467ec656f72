"""Take result posts that are signed. SECRET is what `voxgate account signing new` showed; PORT where we listen."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from voxgate.webhooks import NotGenuine, verify


class Results(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            result = verify(body, dict(self.headers.items()), os.environ["SECRET"])
        except NotGenuine:
            self.send_response(401)
        else:
            # A post that comes again has the same webhook-id: keep it with the result, and do nothing twice.
            print(self.headers["webhook-id"], result["call_id"], result["result"], flush=True)
            self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Results).serve_forever()
