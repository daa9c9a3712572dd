UPDATE deliveries SET resent_from = 1, hit = 'kind=webhook_lost' WHERE shard = 12;
