UPDATE fair SET tag = max(tag, :tag) WHERE lane = :lane;
