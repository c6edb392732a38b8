DELETE FROM sighting WHERE rowid IN (SELECT value FROM json_each(:rows));
