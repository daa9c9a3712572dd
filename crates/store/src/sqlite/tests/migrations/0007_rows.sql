UPDATE accounts SET authorized_by = 'fcauth_00000000001SlGMS2RVLAnG0';
UPDATE accounts SET authorized_by = 'fcauth_000000000026kUwathfnpWOq' WHERE account = 12;
UPDATE snapshot_accounts SET authorized_by = 'fcauth_00000000001SlGMS2RVLAnG0';
UPDATE snapshot_accounts SET authorized_by = 'fcauth_000000000026kUwathfnpWOq' WHERE account = 12;
