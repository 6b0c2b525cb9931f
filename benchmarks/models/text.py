"""Language models of `transformers`, from small configurations, with random weights."""

from __future__ import annotations

from typing import Any

from benchmarks.models.specimen import Made, Specimen, pair, tokens

SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 99,
    "max_position_embeddings": 64,
}
DECODER = SIZE | {"num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
BART = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "vocab_size": 99,
    "max_position_embeddings": 64,
    "pad_token_id": 1,
}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "vocab_size": 99}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "vocab_size": 99}
LOCAL = {"attention_window": 4, "max_position_embeddings": 80}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}

# model type of transformers -> configuration
ENCODERS: dict[str, dict[str, Any]] = {
    "bert": SIZE,
    "roberta": SIZE,
    "xlm-roberta": SIZE,
    "camembert": SIZE,
    "electra": SIZE | {"embedding_size": 16},
    "albert": SIZE | {"embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "vocab_size": 99},
    "deberta": SIZE | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "deberta-v2": SIZE | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "mpnet": SIZE,
    "convbert": SIZE | {"embedding_size": 32},
    "mobilebert": SIZE | {"embedding_size": 32, "true_hidden_size": 32, "intra_bottleneck_size": 32},
    "squeezebert": SIZE | {"embedding_size": 32},
    "rembert": SIZE | {"input_embedding_size": 16, "output_embedding_size": 32},
    "modernbert": SIZE | {"pad_token_id": 0},
    "esm": SIZE | {"pad_token_id": 1, "mask_token_id": 4},
    "fnet": SIZE,
    "ibert": SIZE,
    "nystromformer": SIZE,
    "longformer": SIZE | LOCAL,
    "big_bird": SIZE | {"attention_type": "original_full"},
    "canine": SIZE | {"num_hash_buckets": 64, "downsampling_rate": 4, "local_transformer_stride": 16},
    "funnel": {
        "architectures": ["FunnelModel"],
        "block_sizes": [1, 1],
        "block_repeats": [1, 1],
        "d_model": 32,
        "n_head": 4,
        "d_head": 8,
        "d_inner": 64,
        "vocab_size": 99,
    },
    "xlnet": {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64, "vocab_size": 99},
    "xlm": {"emb_dim": 32, "n_layers": 2, "n_heads": 4, "n_words": 99},
    "flaubert": {"emb_dim": 32, "n_layers": 2, "n_heads": 4, "n_words": 99},
    "reformer": SIZE
    | {"axial_pos_shape": [4, 16], "axial_pos_embds_dim": [16, 16], "attention_head_size": 8, "feed_forward_size": 64}
    | {"local_attn_chunk_length": 8, "lsh_attn_chunk_length": 8, "attn_layers": ["local", "lsh"], "num_buckets": 2},
}

DECODERS: dict[str, dict[str, Any]] = {
    "gpt2": GPT,
    "openai-gpt": GPT,
    "gpt_bigcode": GPT,
    "gptj": GPT | {"rotary_dim": 4},
    "codegen": GPT | {"rotary_dim": 4},
    "gpt_neo": {"hidden_size": 32, "num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]}
    | {"vocab_size": 99, "max_position_embeddings": 64, "window_size": 8},
    "gpt_neox": SIZE,
    "ctrl": {"n_embd": 32, "n_layer": 2, "n_head": 4, "dff": 64, "vocab_size": 99, "n_positions": 64},
    "opt": SIZE | {"ffn_dim": 64, "word_embed_proj_dim": 16},
    "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99},
    "falcon": SIZE,
    "mpt": {"d_model": 32, "n_heads": 4, "n_layers": 2, "vocab_size": 99, "max_seq_len": 64},
    "llama": DECODER,
    "mistral": DECODER,
    "mixtral": DECODER | EXPERTS,
    "qwen2": DECODER,
    "qwen2_moe": DECODER
    | {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 32},
    "qwen3": DECODER,
    "gemma": DECODER,
    "gemma2": DECODER,
    "gemma3_text": DECODER | {"layer_types": ["sliding_attention", "full_attention"]},
    "phi": DECODER,
    "phi3": DECODER,
    "stablelm": DECODER,
    "starcoder2": DECODER,
    "olmo2": DECODER,
    "cohere": DECODER,
    "granite": DECODER,
    "deepseek_v3": DECODER
    | {"q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8}
    | {"n_routed_experts": 4, "n_group": 2, "topk_group": 1, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    | {"first_k_dense_replace": 1, "num_key_value_heads": 4},
    "gpt_oss": DECODER | EXPERTS | {"layer_types": ["sliding_attention", "full_attention"]},
    "mamba": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4, "vocab_size": 99},
    "mamba2": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4, "num_heads": 8, "head_dim": 8}
    | {"n_groups": 1, "chunk_size": 8, "vocab_size": 99},
    "rwkv": {"hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32, "vocab_size": 99},
    "xglm": {"d_model": 32, "num_layers": 2, "attention_heads": 4, "ffn_dim": 64, "vocab_size": 99},
    "biogpt": SIZE,
}

PAIRS: dict[str, dict[str, Any]] = {
    "t5": T5,
    "mt5": T5,
    "longt5": T5 | {"local_radius": 4, "encoder_attention_type": "local"},
    "switch_transformers": T5 | {"num_experts": 4, "num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1},
    "umt5": T5,
    "bart": BART,
    "mbart": BART,
    "pegasus": BART,
    "bigbird_pegasus": BART | {"attention_type": "original_full"},
    "marian": BART | {"decoder_vocab_size": 99, "decoder_start_token_id": 3},
    "m2m_100": BART,
    "blenderbot": BART,
    "plbart": BART,
    "led": BART | LOCAL | {"max_encoder_position_embeddings": 80, "max_decoder_position_embeddings": 80},
    "prophetnet": {"hidden_size": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "num_encoder_layers": 2}
    | {"num_decoder_layers": 2, "num_encoder_attention_heads": 4, "num_decoder_attention_heads": 4, "vocab_size": 99},
}


def specimens() -> list[Specimen]:
    """All of them."""
    kinds = [(ENCODERS, tokens), (DECODERS, tokens), (PAIRS, pair)]
    return [
        Specimen(kind, lambda k=kind, c=config, i=inputs: _make(k, c, i))
        for table, inputs in kinds
        for kind, config in table.items()
    ]


def _make(kind: str, config: dict[str, Any], inputs: Any) -> Made:
    return model(kind, config), inputs()


def model(kind: str, config: dict[str, Any]) -> Any:
    """The bare model of a model type of `transformers`."""
    import transformers

    return transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **config)).eval()
