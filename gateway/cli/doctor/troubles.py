"""Everything that the doctor finds, with its mend: docs/troubleshooting.md is made of this.

The texts are for an operator who has the message and nothing else: what is wrong, and the line that mends it.
"""

from __future__ import annotations

from gateway.cli.doctor.finding import Trouble

# --- this host ---

NO_ROUTE = Trouble(
    "no-route", "there is no trunk or no route", "add a [[trunk]] and a [[route]]: nothing can be dialed"
)
FOLDER = Trouble(
    "folder", "the {name} folder {folder} cannot be written: {error}",
    "let the gateway's user write there: chown it to that user, or name another folder in the configuration",
)  # fmt: skip
DISK = Trouble(
    "disk", "only {free} MB are free where the {name} folder {folder} lies",
    "make room: when the disk is full nothing can be queued or dialed, and calls that are live end in the 8 MB of "
    "`voxgate.db.reserve`, which the gateway keeps beside the database for that",
)  # fmt: skip
TIME_ZONES = Trouble(
    "time-zones", "the time zone data lack {zone}",
    "install the time zone data (`apt install tzdata`, or `pip install tzdata` into the gateway's environment): "
    "calls are scheduled in each account's own time zone",
)  # fmt: skip
SPEECH = Trouble(
    "speech", "text cannot be spoken: {error}",
    "install the gateway again: its package espeakng-loader brings the voices",
)  # fmt: skip

CERTIFICATE = Trouble(
    "certificate", "{what} {when}",
    "renew it. The gateway takes its own anew at SIGHUP (`systemctl reload voxgate`), Asterisk at `core reload`",
)  # fmt: skip
CERTIFICATE_UNUSABLE = Trouble(
    "certificate-unusable", "the certificate of [server] cannot be used: {error}",
    "name a PEM file with the certificate and its chain in certificate, and its private key in key",
)  # fmt: skip

# --- Asterisk's files ---

FILE = Trouble("asterisk-file", "{error}", "mend the file: Asterisk reads it so too")
MANAGER_DISABLED = Trouble(
    "manager-disabled", "manager.conf does not enable AMI",
    "write enabled = yes under [general] of manager.conf, then `manager reload` in Asterisk's console",
)  # fmt: skip
MANAGER_PORT = Trouble(
    "manager-port", "manager.conf says port = {theirs}, the gateway's [ami] says {ours}", "make them one"
)
MANAGER_USER = Trouble(
    "manager-user", "manager.conf has no user [{user}]",
    'put #include "voxgate/manager.conf" at the end of manager.conf, then `manager reload`',
)  # fmt: skip
MANAGER_SECRET = Trouble(
    "manager-secret", "the secret of [{user}] in manager.conf is not the one in the gateway's [ami]",
    "copy one to the other, then `manager reload`",
)  # fmt: skip
MANAGER_RIGHTS = Trouble(
    "manager-rights", "the manager user [{user}] lacks the right {missing}",
    "write = {wanted} is needed in its section of manager.conf, then `manager reload`",
)  # fmt: skip
MANAGER_READS = Trouble(
    "manager-reads", "the manager user [{user}] is not told of {missing}",
    "read = {wanted} is needed in its section of manager.conf, then `manager reload`: without it the gateway does not "
    "hear of {missing}",
)  # fmt: skip
MANAGER_MORE_RIGHTS = Trouble(
    "manager-more-rights", "the manager user may do more than it needs: {more}",
    "take {more} out of its write line in manager.conf: whoever has the password could run programs; "
    "{wanted} is enough",
)  # fmt: skip
MANAGER_SHARED = Trouble(
    "manager-shared", "the manager user [{user}] is another installation's too: {other}",
    "give each installation a manager user of its own: run `voxgate init` for each in a folder of its own, and include "
    "both manager.conf files under different section names ([ami] user names the section)",
)  # fmt: skip
MANAGER_SESSIONS = Trouble(
    "manager-sessions", "{sessions} others are logged in to AMI as [{user}]",
    "only one gateway may use it: two with one installation name hang up each other's calls. "
    "`manager show connected` in Asterisk's console tells their addresses; stop one, or give it its own "
    "installation name and manager user",
)  # fmt: skip
EVENT_FILTER = Trouble(
    "event-filter", "manager.conf's event filter keeps our calls' events back",
    'copy the eventfilter lines that `voxgate init` wrote for installation = "{installation}"',
)  # fmt: skip
DIALPLAN = Trouble(
    "dialplan", "extensions.conf has no context [{context}]",
    'put #include "voxgate/extensions.conf" at the end of extensions.conf (FreePBX: extensions_custom.conf), '
    "then `dialplan reload`",
)  # fmt: skip
AGI_ADDRESS = Trouble(
    "agi-address", "[{context}] in extensions.conf leads to {theirs}, and the gateway's FastAGI is at {ours}",
    "make them one ([agi] advertise says what Asterisk dials where that differs from host and port), "
    "then `dialplan reload`",
)  # fmt: skip
MODULES = Trouble("modules", "modules.conf does not load {lacking}", "{how}, then restart Asterisk")
NAT_ADDRESS = Trouble(
    "nat-address", "the trunk {trunk} leads to {peer}, which is public, and Asterisk would tell it the private "
    "address {private} for the audio",
    "set external_media_address and external_signaling_address (your public address) and local_net (your network) in "
    "the transport section of pjsip.conf, then restart Asterisk: without them nobody hears anybody",
)  # fmt: skip

# --- AMI ---

AMI_REFUSED = Trouble(
    "ami-refused", "nothing listens for AMI at {address}",
    "is Asterisk running, has manager.conf enabled = yes, does its bindaddr let this host in, and does [ami] name its "
    "host and port?",
)  # fmt: skip
AMI_SILENT = Trouble(
    "ami-silent", "{address} does not answer: {error}",
    "a firewall between the two hosts drops the packets, or Asterisk is stalled: allow TCP to AMI's port",
)  # fmt: skip
AMI_TLS = Trouble(
    "ami-tls", "TLS with {address} fails: {error}",
    "[ami] ca must name the authority that vouches for Asterisk's certificate in the name of [ami] host, port must be "
    "manager.conf's tlsbindaddr, and the certificate (tlscertfile) must not have ended",
)  # fmt: skip
AMI_OTHER = Trouble(
    "ami-other", "what listens at {address} is not AMI: it greets with {greeting}",
    "[ami] port must be manager.conf's port (5038 unless changed), not HTTP's, SIP's or a TLS port",
)  # fmt: skip
AMI_LOGIN = Trouble(
    "ami-login", "Asterisk refuses the AMI login of [{user}]: {said}",
    "[ami] user and secret must be those of manager.conf, its permit lines must let this host in, and a changed "
    "manager.conf counts after `manager reload`",
)  # fmt: skip
AMI_EVENTS = Trouble(
    "ami-events", "Asterisk tells of our own call's {missing}, and AMI did not",
    "read = system,call,user,dtmf is needed in the manager user's section, and the eventfilter lines that "
    "`voxgate init` wrote",
)  # fmt: skip
TOO_OLD = Trouble(
    "asterisk-too-old", "Asterisk {version} is too old", "20.17, 22.7 or 23.1 and newer are supported; 22 is tested"
)
TECH_CAUSE = Trouble(
    "asterisk-no-tech-cause", "Asterisk {version} does not tell the carrier's SIP answers",
    "upgrade to 20.17, 22.7, 23.1 or newer: some failed calls cannot be told apart without them",
)  # fmt: skip
TRUNK_UNKNOWN = Trouble(
    "trunk-unknown", "Asterisk has no PJSIP endpoint {endpoint}, which the trunk {trunk} dials",
    "write the endpoint in pjsip.conf, or mend the trunk's dial; then `core reload`",
)  # fmt: skip
TRUNK_UNREGISTERED = Trouble(
    "trunk-unregistered", "the trunk {trunk} is not registered at {server}: {status}",
    "check the registration's account, password and server_uri in pjsip.conf; `pjsip set logger on` in Asterisk's "
    "console shows what the carrier answers",
)  # fmt: skip
TRUNK_UNREACHABLE = Trouble(
    "trunk-unreachable", "Asterisk cannot reach the trunk {trunk}: {state}",
    "check the contact of its AOR in pjsip.conf, the carrier's address, and a firewall on UDP 5060",
)  # fmt: skip

# --- the call of Asterisk to itself ---

AGI_PORT = Trouble(
    "agi-port", "FastAGI cannot listen at port {port}: {error}",
    "another program has it, and it is no gateway of this configuration: stop that, or change [agi] port",
)  # fmt: skip
SELF_CALL = Trouble(
    "self-call", "Asterisk refuses to call itself: {said}",
    "include voxgate/extensions.conf and `dialplan reload`; the manager user needs the right originate",
)  # fmt: skip
SELF_CALL_LATE = Trouble(
    "self-call-late", "Asterisk's call to itself was not done in {seconds:g} s", "look into Asterisk's log"
)
AGI_UNREACHED = Trouble(
    "agi-unreached", "Asterisk does not reach FastAGI at {address}",
    "is voxgate/extensions.conf included, does its agi:// address name this host, does [agi] allow name Asterisk's "
    "address, and does a firewall let Asterisk reach port {port}? Asterisk's log says what failed",
)  # fmt: skip
PROMPT_UNSEEN = Trouble(
    "prompt-unseen", "Asterisk does not see the gateway's prompts in {asterisk_dir}",
    "the gateway writes to {gateway_dir}: both must be one folder ([media] asterisk_dir is its name as Asterisk sees "
    "it), and every folder above it must let Asterisk's user through",
)  # fmt: skip
PROMPT_UNREADABLE = Trouble(
    "prompt-unreadable", "Asterisk sees the gateway's prompts in {asterisk_dir} and may not read them",
    "let Asterisk's user read there: chgrp the folder to a group that both users are in, and chmod g+rwxs",
)  # fmt: skip
PROMPT_PORT = Trouble(
    "prompt-port", "prompts cannot be served at port {port}: {error}", "another program has it: change [media] port"
)
PROMPT_UNFETCHED = Trouble(
    "prompt-unfetched", "Asterisk does not get the gateway's prompts from {address}",
    "Asterisk must reach that address ([media] advertise names it), come from an address in [agi] allow, be able to "
    "write to its astcachedir, and have res_curl.so, res_http_media_cache.so and format_wav.so loaded",
)  # fmt: skip
WAV_FORMAT = Trouble(
    "wav-format", "Asterisk reads the gateway's prompts and cannot play them",
    "load format_wav.so: prompts are WAV files, 8 kHz, 16 bit",
)  # fmt: skip
RECORDING_UNWRITABLE = Trouble(
    "recording-unwritable", "Asterisk may not record into {asterisk_dir}",
    "let Asterisk's user write there: chgrp the folder to a group that both users are in, and chmod g+rwxs; "
    "load app_record.so and format_wav.so",
)  # fmt: skip
RECORDING_UNSEEN = Trouble(
    "recording-unseen", "Asterisk recorded into {asterisk_dir}, and nothing came to {gateway_dir}",
    "both must be one folder: [media] asterisk_dir is its name as Asterisk sees it",
)  # fmt: skip
RECORDING_UNREADABLE = Trouble(
    "recording-unreadable", "the gateway may not read what Asterisk records: {error}",
    "chgrp the folder to a group that both users are in, chmod g+rwxs, and run Asterisk with umask 007",
)  # fmt: skip
CLOCK = Trouble(
    "clock", "Asterisk's clock differs from the gateway's by {skew:.0f} s",
    "set both hosts' clocks by NTP: times of calls and logs cannot be compared, and calls are scheduled by ours",
)  # fmt: skip
AMD = Trouble("amd", "AMD does not work: {error}", "load app_amd.so and include voxgate/amd.conf in amd.conf")
TONE_DETECT = Trouble(
    "tone-detect", "tones cannot be detected",
    "load res_tonedetect.so: without it and without the media tap, faxes go unnoticed",
)  # fmt: skip
AUDIOSOCKET = Trouble(
    "audiosocket", "Asterisk has no AudioSocket", "load res_audiosocket.so, app_audiosocket.so and chan_audiosocket.so"
)
TAP_DEAF = Trouble(
    "tap-deaf", "the media tap comes, and brings no audio",
    "load app_chanspy.so, and include voxgate/extensions.conf with its context [voxgate-tap]: calls are judged by AMD "
    "until it does",
)  # fmt: skip
AUDIOSOCKET_UNREACHED = Trouble(
    "audiosocket-unreached", "no audio came from Asterisk to {address}",
    "let Asterisk connect to this host at that port, through firewalls too: calls are judged by AMD until it does",
)  # fmt: skip

# --- what the last calls have shown ---

TAPS_MISSING = Trouble(
    "taps-missing", "{count} of the last {answered} answered calls were judged without the media tap: {why}",
    "AMD judged them, and errs more: see what the doctor says of the tap, and let Asterisk reach the port of "
    "[audiosocket]",
)  # fmt: skip

# --- a real call (`voxgate doctor --call NUMBER`) ---

CALL_FAILED = Trouble(
    "call-failed", "the call to {number} over the trunk {trunk} failed: {why}",
    "see what the carrier answers: `pjsip set logger on` in Asterisk's console; `voxgate route test NUMBER` shows what "
    "is dialed",
)  # fmt: skip
CODECS = Trouble(
    "codecs", "the carrier of the trunk {trunk} takes none of the codecs that are offered: {told}",
    "let the endpoint in pjsip.conf allow what the carrier has, mostly allow = ulaw,alaw, and load the codec's module; "
    "then `core reload`",
)  # fmt: skip
CREDENTIALS = Trouble(
    "credentials", "the carrier of the trunk {trunk} asks for credentials: {told}",
    "give the endpoint in pjsip.conf an outbound_auth with the account's user name and password; then `core reload`",
)  # fmt: skip
ONE_WAY = Trouble(
    "one-way-audio", "{number} answered, and not one packet of its audio came (it was expected from {address})",
    "let UDP through to Asterisk's RTP ports (rtp.conf, 10000-20000 unless changed), and behind NAT set "
    "external_media_address and local_net in the transport and rtp_symmetric = yes in the endpoint of pjsip.conf",
)  # fmt: skip
PRIVATE_SDP = Trouble(
    "private-sdp", "the far end names {audio} for its audio, which is private, and signals from {signalled}",
    "it is behind NAT and does not say its public address: set rtp_symmetric = yes, force_rport = yes and "
    "rewrite_contact = yes in the endpoint of pjsip.conf, so that audio goes to where its audio comes from",
)  # fmt: skip

ALL = tuple(one for one in list(vars().values()) if isinstance(one, Trouble))
