<?php
// Take result posts that are signed. SECRET is what `voxgate account signing new` showed.
function genuine(string $body, string $secret): bool
{
    $id = $_SERVER["HTTP_WEBHOOK_ID"] ?? "";
    $timestamp = $_SERVER["HTTP_WEBHOOK_TIMESTAMP"] ?? "";
    if (!preg_match("/^\d{1,12}$/", $timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $key = base64_decode(substr($secret, strlen("whsec_")));
    $right = "v1," . base64_encode(hash_hmac("sha256", "$id.$timestamp.$body", $key, true));
    foreach (explode(" ", $_SERVER["HTTP_WEBHOOK_SIGNATURE"] ?? "") as $given) {
        if (hash_equals($right, $given)) {  // several secrets sign while one is changed
            return true;
        }
    }
    return false;
}

if (!genuine(file_get_contents("php://input"), getenv("SECRET"))) {
    http_response_code(401);
    exit;
}
// A post that comes again has the same webhook-id: keep it with the result, and do nothing twice.
file_put_contents("php://stdout", "{$_SERVER["HTTP_WEBHOOK_ID"]} {$_POST["call_id"]} {$_POST["result"]}\n");
http_response_code(204);
