BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'voxgate','m001_queue','2026-11-27 11:06:59.756235+00:00');
CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE CHECK (length(login) BETWEEN 1 AND 128),
    pin_hash TEXT NOT NULL,
    settings TEXT NOT NULL CHECK (json_valid(settings))
) STRICT;
INSERT INTO "account" VALUES(1,'user1','$argon2id$v=19$m=65536,t=3,p=4$eA$eA','{"time_zone":"America/New_York","country":"US","caller_id":null,"allowed_caller_ids":[],"allowed_prefixes":["+1"],"blocked_prefixes":[],"ring_timeout":null,"max_call_seconds":null,"keep_duplicates":false,"retry_unknown_outcome":false}');
CREATE TABLE attempt (
    id TEXT PRIMARY KEY,
    call_id INTEGER NOT NULL REFERENCES call (id),
    number INTEGER NOT NULL,
    trunk TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('answered', 'dialing', 'ended', 'ringing')),
    started_at INTEGER NOT NULL,
    ringing_at INTEGER,
    answered_at INTEGER,
    ended_at INTEGER,
    kind TEXT CHECK (kind IN ('lost_after_answer', 'lost_before_answer', 'not_reached', 'reached', 'trunk_fault')),
    callee_type TEXT CHECK (callee_type IN ('answeringmachine', 'busy', 'fax', 'informationtone', 'noanswer', 'operator', 'unknown', 'voice')),
    cause INTEGER,
    tech_cause INTEGER,
    reason TEXT,
    application_error TEXT,
    evidence TEXT CHECK (evidence IS NULL OR json_valid(evidence)),
    UNIQUE (call_id, number),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL AND kind IS NOT NULL))
) STRICT;
INSERT INTO "attempt" VALUES('vg-abc-daf57a48a3e61637845f4de7',9,1,'t','ended',1800000000000,1800000001000,1800000003000,1800000005000,'reached','voice',17,486,'because',NULL,'{"AMDSTATUS":"HUMAN"}');
INSERT INTO "attempt" VALUES('vg-abc-1b3a500adb8a8b75533cc579',1,1,'t','ended',1800000000000,NULL,NULL,1800000005000,'not_reached','busy',17,486,'because',NULL,'{"AMDSTATUS":"HUMAN"}');
INSERT INTO "attempt" VALUES('vg-abc-c13dfd8bcff26858c9f7d961',2,1,'t','ended',1800000000000,NULL,NULL,1800000005000,'trunk_fault','unknown',17,486,'because',NULL,'{"AMDSTATUS":"HUMAN"}');
INSERT INTO "attempt" VALUES('vg-abc-60f39f1fb07da0b1243c7428',3,1,'t','ended',1800000000000,NULL,NULL,1800000005000,'lost_after_answer','unknown',17,486,'because',NULL,'{"AMDSTATUS":"HUMAN"}');
INSERT INTO "attempt" VALUES('vg-abc-fdeaf718bd9ba99f59359c60',4,1,'t','ended',1800000000000,NULL,1800000003000,1800000005000,'reached','answeringmachine',17,486,'because',NULL,'{"AMDSTATUS":"HUMAN"}');
INSERT INTO "attempt" VALUES('vg-abc-73ee583b37e1d914009a2645',5,1,'t','answered',1800000000000,NULL,1800000003000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE call (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id <= 2147483647),
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    state TEXT NOT NULL CHECK (state IN ('cancelled', 'completed', 'dialing', 'failed', 'in_call', 'pending', 'retrying')),
    destination TEXT NOT NULL,
    dialed TEXT NOT NULL,
    trunk TEXT NOT NULL,
    ani TEXT,
    postd TEXT,
    message_reference TEXT,
    call_parameters TEXT,
    campaign_parameters TEXT,
    plan TEXT CHECK (plan IS NULL OR json_valid(plan)),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at INTEGER,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    callee_type TEXT CHECK (callee_type IN ('answeringmachine', 'busy', 'fax', 'informationtone', 'noanswer', 'operator', 'unknown', 'voice')),
    last_attempt_at INTEGER,
    duration INTEGER NOT NULL DEFAULT 0 CHECK (duration >= 0),
    fault_since INTEGER,
    fault_count INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    application_error TEXT,
    CHECK ((state IN ('pending', 'retrying')) = (due_at IS NOT NULL))
) STRICT;
INSERT INTO "call" VALUES(1,1,'retrying','16175550000','+16175550000','t',NULL,NULL,NULL,NULL,NULL,NULL,1,1800000065000,NULL,1800000000000,'busy',1800000000000,0,NULL,0,'because',NULL);
INSERT INTO "call" VALUES(2,1,'retrying','16175550001','+16175550001','t',NULL,NULL,NULL,NULL,NULL,NULL,0,1800000010000,NULL,1800000000000,'unknown',1800000000000,0,1800000005000,1,'because',NULL);
INSERT INTO "call" VALUES(3,1,'failed','16175550002','+16175550002','t',NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,1800000000000,'unknown',1800000000000,0,NULL,0,'because',NULL);
INSERT INTO "call" VALUES(4,1,'completed','16175550003','+16175550003','t',NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,1800000000000,'answeringmachine',1800000000000,2,NULL,0,'because',NULL);
INSERT INTO "call" VALUES(5,1,'in_call','16175550004','+16175550004','t',NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,1800000000000,NULL,1800000000000,0,NULL,0,NULL,NULL);
INSERT INTO "call" VALUES(6,1,'cancelled','16175550005','+16175550005','t',NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,1800000000000,NULL,NULL,0,NULL,0,'cancelled',NULL);
INSERT INTO "call" VALUES(7,1,'pending','16175550006','+16175550006','t',NULL,NULL,NULL,NULL,NULL,NULL,0,1800000000000,NULL,1800000000000,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO "call" VALUES(8,1,'pending','16175550007','+16175550007','t',NULL,NULL,NULL,NULL,NULL,NULL,0,1800000000000,NULL,1800000000000,NULL,NULL,0,NULL,0,NULL,NULL);
INSERT INTO "call" VALUES(9,2,'completed','16175550100','+16175550100','t',NULL,NULL,NULL,NULL,NULL,'{"start_url":"http://a/s","result_url":null,"message_reference":"m","call_parameters":null,"max_retries":1,"retry_interval":60,"scheduled_at":1800000000000,"expires_at":1800086400000,"ring_timeout":null,"max_call_seconds":null}',1,NULL,1800086400000,1800000000000,'voice',1800000000000,2,NULL,0,'because',NULL);
CREATE TABLE campaign (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    single INTEGER NOT NULL CHECK (single IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('active', 'cancelled', 'loading', 'paused')),
    plan TEXT CHECK (plan IS NULL OR json_valid(plan)),
    rejected INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    UNIQUE (account_id, name)
) STRICT;
INSERT INTO "campaign" VALUES(1,1,'spring',0,'active','{"start_url":"http://a/s","result_url":"http://a/r","message_reference":"m","call_parameters":null,"max_retries":1,"retry_interval":60,"scheduled_at":1800000000000,"expires_at":null,"ring_timeout":null,"max_call_seconds":null}',2,1800000000000);
INSERT INTO "campaign" VALUES(2,1,'default',1,'active',NULL,0,1800000000000);
CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    call_id INTEGER NOT NULL UNIQUE REFERENCES call (id),
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    form TEXT NOT NULL CHECK (json_valid(form)),
    created_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    accepted_at INTEGER,
    given_up_at INTEGER,
    last_status INTEGER,
    last_error TEXT,
    CHECK ((next_at IS NOT NULL) + (accepted_at IS NOT NULL) + (given_up_at IS NOT NULL) = 1)
) STRICT;
INSERT INTO "delivery" VALUES('msg_1241242edf23fb64249ad15c',3,'http://a/r','a','[["phone_number","16175550002"],["message_reference","m"],["call_id","3"],["result","failed"],["callee_type","unknown"],["attempts","1"],["last_attempt_timestamp","1800000000"],["duration","0"]]',1800000005000,1,NULL,1800000006000,NULL,200,NULL);
INSERT INTO "delivery" VALUES('msg_0a834ffc518cb41e3db0bb0b',4,'http://a/r','a','[["phone_number","16175550003"],["message_reference","m"],["call_id","4"],["result","completed"],["callee_type","answeringmachine"],["attempts","1"],["last_attempt_timestamp","1800000000"],["duration","2"]]',1800000005000,1,1800000016000,NULL,NULL,500,'HTTP 500');
CREATE TABLE lane (
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    trunk TEXT NOT NULL,
    waiting INTEGER NOT NULL CHECK (waiting >= 0),
    PRIMARY KEY (campaign_id, trunk)
) STRICT, WITHOUT ROWID;
INSERT INTO "lane" VALUES(1,'t',4);
INSERT INTO "lane" VALUES(2,'t',0);
CREATE TABLE tally (
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    state TEXT NOT NULL CHECK (state IN ('cancelled', 'completed', 'dialing', 'failed', 'in_call', 'pending', 'retrying')),
    calls INTEGER NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (campaign_id, state)
) STRICT, WITHOUT ROWID;
INSERT INTO "tally" VALUES(1,'cancelled',1);
INSERT INTO "tally" VALUES(1,'completed',1);
INSERT INTO "tally" VALUES(1,'dialing',0);
INSERT INTO "tally" VALUES(1,'failed',1);
INSERT INTO "tally" VALUES(1,'in_call',1);
INSERT INTO "tally" VALUES(1,'pending',2);
INSERT INTO "tally" VALUES(1,'retrying',2);
INSERT INTO "tally" VALUES(2,'cancelled',0);
INSERT INTO "tally" VALUES(2,'completed',1);
INSERT INTO "tally" VALUES(2,'dialing',0);
INSERT INTO "tally" VALUES(2,'failed',0);
INSERT INTO "tally" VALUES(2,'in_call',0);
INSERT INTO "tally" VALUES(2,'pending',0);
INSERT INTO "tally" VALUES(2,'retrying',0);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX lane_waiting ON lane (campaign_id, trunk) WHERE waiting > 0;
CREATE INDEX call_due ON call (campaign_id, trunk, due_at, id) WHERE state IN ('pending', 'retrying');
CREATE INDEX call_expiry ON call (expires_at) WHERE expires_at IS NOT NULL AND state IN ('pending', 'retrying');
CREATE UNIQUE INDEX attempt_open ON attempt (call_id) WHERE state <> 'ended';
CREATE INDEX delivery_due ON delivery (host, next_at) WHERE next_at IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('account',1);
INSERT INTO "sqlite_sequence" VALUES('campaign',2);
INSERT INTO "sqlite_sequence" VALUES('call',9);
COMMIT;
