// Queue a call, then look at it. VOXGATE is the gateway's address, TOKEN a token with the scopes calls and read.
const ask = async (method, path, body, headers = {}) => {
  const answer = await fetch(`${process.env.VOXGATE}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${process.env.TOKEN}`, "Content-Type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
};

const main = async () => {
  const call = { phone_number: "+16175551234", start_url: "http://app.example/start.php", max_retries: 2 };
  const queued = await ask("POST", "/calls", call, { "Idempotency-Key": "order-17-js" });
  console.log(JSON.stringify(await ask("GET", `/calls/${queued.id}`)));
};

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
