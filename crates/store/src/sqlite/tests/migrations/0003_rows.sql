UPDATE refreshes SET started_server = 1700000000000000;
