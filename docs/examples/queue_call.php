<?php
// Queue a call, then look at it. VOXGATE is the gateway's address, TOKEN a token with the scopes calls and read.
function ask(string $method, string $path, ?array $body = null, array $headers = []): array
{
    $headers[] = "Authorization: Bearer " . getenv("TOKEN");
    $headers[] = "Content-Type: application/json";
    $ch = curl_init(getenv("VOXGATE") . "/api/v1" . $path);
    curl_setopt($ch, CURLOPT_CUSTOMREQUEST, $method);
    curl_setopt($ch, CURLOPT_HTTPHEADER, $headers);
    curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
    if ($body !== null) {
        curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($body));
    }
    $answer = json_decode(curl_exec($ch), true);
    $status = curl_getinfo($ch, CURLINFO_RESPONSE_CODE);
    if ($status >= 400) {
        fwrite(STDERR, $answer["detail"] . "\n");
        exit(1);
    }
    return $answer;
}

$call = ["phone_number" => "+16175551234", "start_url" => "http://app.example/start.php", "max_retries" => 2];
$queued = ask("POST", "/calls", $call, ["Idempotency-Key: order-17-php"]);
echo json_encode(ask("GET", "/calls/" . $queued["id"])), "\n";
