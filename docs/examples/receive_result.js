// Take result posts that are signed. SECRET is what `voxgate account signing new` showed; PORT where we listen.
const { createHmac, timingSafeEqual } = require("node:crypto");
const { createServer } = require("node:http");

const key = Buffer.from(process.env.SECRET.slice("whsec_".length), "base64");

function genuine(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures = "" } = headers;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const right = Buffer.from("v1," + createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64"));
  return signatures.split(" ").some((one) => {  // several secrets sign while one is changed
    const given = Buffer.from(one);
    return given.length === right.length && timingSafeEqual(given, right);
  });
}

createServer(async (request, answer) => {
  const body = Buffer.concat(await request.toArray());
  if (genuine(request.headers, body)) {
    // A post that comes again has the same webhook-id: keep it with the result, and do nothing twice.
    const result = new URLSearchParams(body.toString());
    console.log(request.headers["webhook-id"], result.get("call_id"), result.get("result"));
    answer.statusCode = 204;
  } else {
    answer.statusCode = 401;
  }
  answer.end();
}).listen(Number(process.env.PORT), "127.0.0.1");
