UPDATE counts SET value = 2 WHERE name = 'merchants';
