-- a lane in which keys take turns: nobody else draws from it in this transaction
SELECT tag FROM ferryman.fair WHERE lane = $1::integer FOR UPDATE;
