# Queue a call, then look at it. VOXGATE is the gateway's address, TOKEN a token with the scopes calls and read.
set -eu
answer=$(curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
    -H "Idempotency-Key: order-17-curl" "$VOXGATE/api/v1/calls" \
    -d '{"phone_number": "+16175551234", "start_url": "http://app.example/start.php", "max_retries": 2}')
id=$(echo "$answer" | tr -dc 0-9)
curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" "$VOXGATE/api/v1/calls/$id"
