//! Search by a part of a text, case ignored, on both databases.

use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, SimpleExpr};

/// Tells whether a column holds the text somewhere. Wildcards in the text are taken literally.
pub fn contains(column: impl ColumnTrait, text: &str) -> SimpleExpr {
    let mut pattern = String::from("%");
    for c in text.trim().to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    let column = Expr::col((column.entity_name(), column));
    Expr::expr(Func::lower(column)).like(LikeExpr::new(pattern).escape('\\'))
}
