UPDATE objects SET forget_at = 1702592000000000 WHERE kind = 'link_flow';
